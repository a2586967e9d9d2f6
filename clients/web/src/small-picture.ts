/** A group's picture travels in its settings, which hold 2000 characters: a small one does. */

const SIDE = 64;
const ROOM = 2000;

/** The middle of a picture as a data URL that fits. */
export async function smallPicture(file: Blob): Promise<string> {
  const picture = await createImageBitmap(file).catch(() => {
    throw new Error("That is no picture that a browser can show.");
  });
  const canvas = document.createElement("canvas");
  for (let side = SIDE; side >= 16; side /= 2) {
    canvas.width = canvas.height = side;
    const { width, height } = picture;
    const cut = Math.min(width, height);
    const context = canvas.getContext("2d")!;
    context.drawImage(picture, (width - cut) / 2, (height - cut) / 2, cut, cut, 0, 0, side, side);
    for (const quality of [0.8, 0.6, 0.4, 0.2]) {
      const url = canvas.toDataURL("image/webp", quality);
      if (url.length <= ROOM) return url;
    }
  }
  throw new Error("This picture cannot be made small enough.");
}
