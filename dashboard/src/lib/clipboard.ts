/** Copy a text; false where the browser gives this page no clipboard, such as over plain HTTP. */
export async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no clipboard here, or it was refused
  }
}
