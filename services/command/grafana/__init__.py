"""The Grafana dashboards, written from code: `hedgestat grafana DIRECTORY`."""
