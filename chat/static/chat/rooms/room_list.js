/** However long the list of rooms is, the one that is open is in sight; as soon as the drawer is, on a phone. */
function showCurrentRoom(document) {
  const rooms = document.getElementById("rooms");
  const current = rooms.querySelector("[aria-current]");
  const show = () => (rooms.scrollTop = current.offsetTop - rooms.clientHeight / 2);
  document.getElementById("side").addEventListener("toggle", show);
  show();
}

showCurrentRoom(document);
