"""The live page: one picture of the monitor as page, HTTP API and event stream; decides nothing."""
