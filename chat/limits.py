"""The numbers of the chat: limits that clients are told, and the clocks of the engines.

What an operator may change stands in chatsite/settings.py; what stands here is part of the promises.
"""

# What a client may send. Announced in `hello`.
FRAME_LIMIT_BYTES = 64 * 1024
BINARY_LIMIT_BYTES = 1024 * 1024
TEXT_LIMIT_CHARACTERS = 8_000
POSTS_BURST = 20
REQUESTS_IN_FLIGHT = 32
TYPING_INTERVAL_S = 3
TYPING_COALESCED_S = 0.3
EMOJI_LIMIT_CHARACTERS = 16
REACTIONS_PER_MESSAGE = 20
REACTIONS_PER_PERSON = 8
NAMES_PER_REACTION = 100
PAGES_PER_S = 20
PAGES_BURST = 500

# How many addresses have their new names counted.
ADDRESSES_REMEMBERED = 10_000

# A client that breaks the protocol, or goes on after it was told to slow down, is closed. One sound minute resets both.
BROKEN_FRAMES_PER_MINUTE = 20
RATE_LIMITED_PER_MINUTE = 100

# Signs of life. A client is closed after 2.5 intervals of silence.
HEARTBEAT_INTERVAL_S = 10
HEARTBEAT_TIMEOUT_S = 5
HEARTBEAT_DEADLINE_S = 2.5 * HEARTBEAT_INTERVAL_S

# A client that reports the same wrong position again after this long has lost something: no frame is under way so long.
OUT_OF_STEP_S = HEARTBEAT_INTERVAL_S / 2

# A newcomer outnumbers the others of its name from its first frame on. A simple dialect may have nothing to say: there
# it is enough not to be gone after this long.
QUIET_NEWCOMER_S = 1.0

# How far people have read: kept by the process that heard it, and written together.
READ_POSITIONS_WRITTEN_S = 5

# The rooms of one's own that `hello` lists at most.
HELLO_ROOMS = 500

# Edits and reactions that come while others were told a moment ago are told together.
AMENDMENTS_COALESCED_S = 0.2

# A room whose delivery took this long (some 2,500 readers) rests as long afterwards, so that others get their turn.
LONG_DELIVERY_S = 0.02

# Pages of a room.
LATEST_PAGE = 50
HISTORY_PAGE_LIMIT = 200
CATCH_UP_PAGE = 200
PAGE_LIMIT_BYTES = 256 * 1024

# The hub: how long what is missing may still arrive before it is read, how often heads are compared,
# how many changes of an active room stay in memory.
HOLD_S = 0.15
HEAD_CHECK_S = 1.0
HEADS_PER_QUERY = 500
RECENT_CHANGES = 500
PRELOADED_CHANGES = 200
RECENT_LIMIT_BYTES = 512 * 1024

# The link to the other processes.
PING_INTERVAL_S = 5
PING_DEADLINE_S = 12
ALONE_AFTER_S = 30
PUBLISH_TIMEOUT_S = 2
PUBLISH_QUEUE_LIMIT = 1_000
GROUPS_TOGETHER = 500

# Presence: a process says that it is alive, is forgotten when it does not, and a name may be away for a moment.
# Together, with the ticks of the clocks, nobody is shown longer than 45 s after the last sign of them (promise G5).
ALIVE_INTERVAL_S = 10
ALIVE_LIFETIME_S = 26
GRACE_S = 15
GRACE_WHILE_DRAINING_S = 30
NAMES_SHOWN_LIMIT = 100
PRESENCE_COALESCED_S = 0.2
CROWD_COALESCED_S = 1.0

# The database: threads per process, and when a caller is told to come back instead of waiting.
READER_THREADS = 4
IDENTITY_THREADS = 2
DATABASE_PATIENCE_S = 10
DATABASE_QUEUE_LIMIT = 5_000
BATCH_LIMIT = 500
UNAVAILABLE_RETRY_S = 2.0

# How long a late copy of an edit, a deletion or a reaction is known again by its nonce (promise G2).
CHANGE_NONCES_KEPT_S = 7 * 24 * 3600

# Revocation: how often notices are read, and how often everybody's standing is looked at without one.
NOTICE_INTERVAL_S = 0.5
STANDING_INTERVAL_S = 60
NOTICES_KEPT_S = 24 * 3600

# How often what is old is taken away.
HOUSEKEEPING_INTERVAL_S = 60

# What may wait for one reader of a socket where the server has no bound of its own, as plain Daphne has none (promise
# G6). On ours it is that of chatsite/server/frames.py: 768 KiB behind the frame on its way.
OUTGOING_LIMIT_BYTES = 1024 * 1024
