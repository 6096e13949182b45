/** A press beside the dialog closes it, as Escape does. */
export function closeOutside(dialog) {
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
}
