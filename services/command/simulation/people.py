"""People of the simulated world: operators with keys, and somebody with full rights on the broker.

The attacker has stolen a broker login and, for some of what he tries, the monitor's key: then only
the gateway's own controls stand between him and the market.
"""

from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.adapters.keyring import ROLES, Keyring, key_id


def simulated_keyring(environment: str, owner: str = "us") -> Keyring:
    """Make the keys of every role: the same in every run, worth nothing anywhere else."""
    private = {
        role: Ed25519PrivateKey.from_private_bytes(sha256(f"{owner} {role}".encode()).digest())
        for role in ROLES
    }
    public = {role: key.public_key() for role, key in private.items()}
    return Keyring(environment, private, {role: {key_id(key): key} for role, key in public.items()})
