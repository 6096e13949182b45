/** Puts a text on the clipboard, also where the site has no TLS and the browser therefore no `clipboard`. */
export async function copyText({ navigator, document }, text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const carry = (event) => {
    event.preventDefault();
    event.clipboardData.setData("text/plain", text);
  };
  document.addEventListener("copy", carry, { once: true });
  const isCopied = document.execCommand("copy");
  document.removeEventListener("copy", carry);
  if (!isCopied) throw new Error("the browser does not copy");
  return undefined;
}
