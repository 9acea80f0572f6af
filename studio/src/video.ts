// A video in an element, ready to be looked at anywhere.

/** False where this browser cannot play it, or finds no end of it. */
export async function load(video: HTMLVideoElement, url: string): Promise<boolean> {
  video.src = url;
  const played = await new Promise<boolean>(done => {
    video.onloadeddata = () => done(true);
    video.onerror = () => done(false);
  });
  if (!played || !video.videoWidth) return false;
  if (!Number.isFinite(video.duration)) { // a recording of the camera does not say how long it is
    await new Promise<void>(done => {
      video.onseeked = () => done();
      video.onerror = () => done();
      video.currentTime = 1e9;
    });
    await new Promise<void>(done => {
      video.onseeked = () => done();
      video.currentTime = 0;
    });
  }
  return Number.isFinite(video.duration);
}
