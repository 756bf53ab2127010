// Waiting: deadlines are bounds for failures, never a pace.

/** How long an event that must come may take. */
export const DEADLINE_MS = 10_000;
/** How soon REST must show who has come and gone. */
export const SOON_MS = 1_000;

/**
 * What the promise gives, or an error that says what was waited for.
 * @template T
 * @param {number} ms
 * @param {Promise<T>} promise
 * @param {string} what
 * @returns {Promise<T>}
 */
export async function within(ms, promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
    // A promise that nobody waits for any more must not hold the process.
    timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks again and again until the answer is as expected. Only for REST, which tells no one that something has changed.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {(answer: T) => boolean} isRight
 * @param {number} [ms]
 * @returns {Promise<T>}
 */
export async function soon(ask, isRight, ms = DEADLINE_MS) {
  const end = performance.now() + ms;
  for (;;) {
    const isLast = performance.now() > end;
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (isLast) throw new Error(`still ${JSON.stringify(answer)} after ${ms} ms`);
    // A pause for the server's sake: two cores run everything.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
