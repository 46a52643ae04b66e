"""What the store does in one step, and so whole or not at all; each may be made again.

The scripts of leases stand here, the commit in `commit.lua`. All checks come before the first
write: a script is atomic, but what it wrote before it fails stays.
"""

import hashlib
from pathlib import Path
from typing import Final


class Script:
    """A script and the name the server keeps it under."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.digest = hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest()


TAKE_LEASE: Final = Script("""
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or 0)
epoch = math.max(epoch, tonumber(ARGV[1])) + 1
redis.call('HSET', KEYS[1], 'epoch', epoch)
return epoch
""")
ACQUIRE: Final = Script("""
local lease, record, holder = KEYS[1], KEYS[2], ARGV[1]
local held = redis.call('HMGET', lease, 'holder', 'epoch')
if held[1] and held[1] ~= holder then return false end
local epoch = tonumber(redis.call('HGET', record, 'epoch') or 0)
if tonumber(held[2]) ~= epoch or epoch <= tonumber(ARGV[3]) then
  epoch = math.max(epoch, tonumber(ARGV[3])) + 1
end
redis.call('HSET', record, 'epoch', epoch)
redis.call('HSET', lease, 'holder', holder, 'epoch', epoch, 'digest', ARGV[4])
redis.call('PEXPIRE', lease, ARGV[2])
return epoch
""")
RENEW: Final = Script("""
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
""")
RELEASE: Final = Script("""
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
""")
FENCE: Final = Script("""
local epoch = tonumber(redis.call('HGET', KEYS[1], 'epoch') or 0)
if epoch >= tonumber(ARGV[1]) then return epoch end
redis.call('HSET', KEYS[1], 'epoch', ARGV[1])
return tonumber(ARGV[1])
""")
COMMIT: Final = Script(Path(__file__).with_name("commit.lua").read_text())
