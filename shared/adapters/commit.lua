-- One commit of a stage: all checks first, writes last, nothing that can fail between two writes.
-- KEYS: the record, then the output streams, then the readable hashes; with orders, the halt key.
-- ARGV: the digest, the numbers as MessagePack (see `_numbers` in redis_store.py), the state, then
-- the payloads of each stream in turn: bytes stand apart, the server's MessagePack knows no `bin`.
local record = KEYS[1]
local digest, commit, state = ARGV[1], cmsgpack.unpack(ARGV[2]), ARGV[3]

local held = redis.call('HMGET', record, 'epoch', 'batch', 'digest')
local epoch, batch = tonumber(held[1] or 0), tonumber(held[2] or 0)
if epoch ~= commit.epoch then return {'epoch', epoch} end
if batch == commit.batch and held[3] == digest then return {'done', batch} end
if batch + 1 ~= commit.batch then return {'batch', batch} end
local halt = KEYS[2 + #commit.streams + #commit.readable]
if halt and redis.call('EXISTS', halt) == 1 then return {'halted', batch} end

local function id(index) return string.format('%d-0', index) end

local streams, argument = {}, 4
for position, output in ipairs(commit.streams) do
  local key = KEYS[1 + position]
  local last = tonumber(redis.call('HGET', record, 'last:' .. key) or 0)
  local before = output.emitted - output.count
  if before ~= last then return {before > last and 'hole' or 'overlap', last, key} end
  if #redis.call('XRANGE', key, '(' .. id(last), '+', 'COUNT', 1) > 0 then
    return {'foreign', last, key}
  end
  streams[position] = {key = key, last = last, argument = argument}
  argument = argument + output.count
end

for position = 1, #commit.readable do
  redis.call('HLEN', KEYS[1 + #commit.streams + position]) -- raises here if it is not a hash
end

local fields = {'batch', commit.batch, 'digest', digest}
local function note(name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end

for position, output in ipairs(commit.streams) do
  local stream = streams[position]
  for index = stream.last + 1, output.emitted do
    local payload = ARGV[stream.argument + index - stream.last - 1]
    redis.call('XADD', stream.key, id(index), 'payload', payload)
  end
  if output.keep then redis.call('XTRIM', stream.key, 'MAXLEN', '~', output.keep) end
  if output.count > 0 then note('last:' .. stream.key, output.emitted) end
end
for _, cursor in ipairs(commit.cursors) do
  note('reached:' .. cursor.stream, cursor.index)
  if commit.has_state then
    note('cursor:' .. cursor.stream, cursor.index)
    note('seen:' .. cursor.stream, cursor.seen)
  end
end
if commit.has_state then note('state', state) end
redis.call('HSET', record, unpack(fields))
for position, readable in ipairs(commit.readable) do
  local key = KEYS[1 + #commit.streams + position]
  if #readable > 0 then redis.call('HSET', key, unpack(readable)) end
end
return {'done', commit.batch}
