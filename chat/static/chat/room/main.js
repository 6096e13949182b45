import { Announcer } from "./announcer.js";
import { Chat } from "../client/chat.js";
import { ComposerView } from "./composer_view.js";
import { Connection } from "../client/connection.js";
import { DeleteDialog } from "./delete_dialog.js";
import { EmojiPicker } from "./emoji_picker.js";
import { Jumps } from "./jumps.js";
import { MessageActions } from "./message_actions.js";
import { MessageSheet } from "./message_sheet.js";
import { Permalinks } from "./permalinks.js";
import { PresenceView } from "./presence_view.js";
import { RoomView } from "./room_view.js";
import { StatusView } from "../page/status_view.js";
import { Times, localeOf } from "../page/times.js";
import { Toast } from "../page/toast.js";
import { Toolbar } from "./toolbar.js";
import { TypingView } from "./typing_view.js";
import { browserStorage } from "../client/store.js";
import { clock, openChannel, readConfig, socketUrl, watchNetwork } from "../page/browser.js";
import { fetchTicket } from "../client/tickets.js";
import { openOutbox } from "../client/outbox.js";
import { roveMessages } from "./roving.js";

const config = readConfig(document);
const outbox = await openOutbox({
  user: config.name,
  clock,
  storage: browserStorage(window),
  channel: openChannel(window),
});
const connection = new Connection({
  WebSocket,
  url: socketUrl(config.socketPath, location),
  clock,
  network: watchNetwork(window),
  authenticate: () => fetchTicket({ fetch: (...request) => fetch(...request), ...config }),
  positions: () => chat.positions(),
});
const chat = new Chat({ connection, outbox, clock, locks: navigator.locks, crypto });
const room = chat.open(config.room.slug, config.room.title);
const times = new Times({ language: localeOf(document.documentElement.lang, navigator.languages), clock });
const links = new Permalinks({ room: config.room.path, origin: location.origin });

const announcer = new Announcer({ document, chat, room, clock });
const roomView = new RoomView({ window, chat, room, clock, times, links, shown: () => actions.refresh() });
const composer = new ComposerView({
  window,
  chat,
  room,
  outbox,
  clock,
  sent: () => jumps.toEnd(),
  wantsToEdit: () => actions.editLast(),
});
const picker = new EmojiPicker({ window, load: () => loadEmoji(config.emojiUrl) });
const emojiButton = document.getElementById("composer-emoji");
emojiButton.addEventListener("click", () => picker.open(emojiButton, (emoji) => composer.insert(emoji)));
const actions = new MessageActions({
  window,
  chat,
  room,
  clock,
  links,
  composer,
  toast: new Toast({ document, clock }),
  toolbarAt: (deedsOf) => new Toolbar({ document, deedsOf }),
  sheet: new MessageSheet({ document }),
  picker,
  deletion: new DeleteDialog({ document }),
});
new PresenceView({ document, chat, room, clock });
new StatusView({ document, chat, clock, announcer });
new TypingView({ document, chat, room, clock });
roveMessages(document.getElementById("messages"), document.getElementById("message-list"));
const jumps = new Jumps({ window, chat, room, view: roomView, links, clock, announcer });

jumps.begin();
chat.connect();

async function loadEmoji(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the emoji: ${answer.status}`);
  return answer.json();
}
