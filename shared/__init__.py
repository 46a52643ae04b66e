"""What every hedgestat process shares: domain, wire contract, adapters, runtime."""
