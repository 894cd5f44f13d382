// The last readings of one series, bounded: old points are thinned, not dropped, and their extremes stay.

const CAPACITY = 5000;
const GAP_FACTOR = 8; // longer than this many usual intervals without a reading breaks the line
const SHORTEST_GAP = 5000;

export class Series {
  /** `[time in ms, value]`; a null value breaks the line. This is the form dygraphs draws without copying. */
  points = [];
  low = [];
  high = [];
  interval = 0;

  get length() { return this.points.length; }
  get latest() { return this.points.length ? this.points[this.points.length - 1][0] : -Infinity; }

  /** The newest reading as `{time, value, low, high}`, or null. */
  get last() {
    for (let index = this.points.length - 1; index >= 0; index -= 1) {
      const [time, value] = this.points[index];
      if (value !== null) return { time, value, low: this.low[index], high: this.high[index] };
    }
    return null;
  }

  add(time, value, low = null, high = null) {
    if (!Number.isFinite(time) || !Number.isFinite(value)) return;
    if (time > this.latest) this.append(time, value, low, high);
    else this.insert(time, value, low, high);
    if (this.points.length > CAPACITY) this.thin();
  }

  append(time, value, low, high) {
    const step = time - this.latest;
    if (Number.isFinite(step)) {
      if (this.interval > 0 && step > SHORTEST_GAP && step > GAP_FACTOR * this.interval) {
        this.store(this.points.length, this.latest + 1, null, null, null);
      } else {
        this.interval = this.interval ? this.interval + 0.1 * (step - this.interval) : step;
      }
    }
    this.store(this.points.length, time, value, low, high);
  }

  // A late reading, or one that the history and the stream both carry.
  insert(time, value, low, high) {
    const index = this.indexOf(time);
    if (this.points[index]?.[0] !== time) return this.store(index, time, value, low, high);
    this.points[index][1] = value;
    if (low !== null) this.low[index] = low;
    if (high !== null) this.high[index] = high;
  }

  store(index, time, value, low, high) {
    if (index === this.points.length) {
      this.points.push([time, value]);
      this.low.push(low);
      this.high.push(high);
    } else {
      this.points.splice(index, 0, [time, value]);
      this.low.splice(index, 0, low);
      this.high.splice(index, 0, high);
    }
  }

  /** Index of the first point at or after `time`. */
  indexOf(time) {
    let from = 0;
    let to = this.points.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.points[middle][0] < time) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** The value of the reading nearest to `time`, at most `reach` ms away; null without one. */
  near(time, reach) {
    const index = this.indexOf(time);
    const distance = (point) => (point && point[1] !== null ? Math.abs(point[0] - time) : Infinity);
    const [before, after] = [this.points[index - 1], this.points[index]];
    const nearest = distance(before) < distance(after) ? before : after;
    return distance(nearest) <= reach ? nearest[1] : null;
  }

  // Each four of the older half become their lowest and highest: half the points, every spike still there.
  thin() {
    const half = CAPACITY >> 1;
    const kept = [];
    for (let start = 0; start < half; start += 4) {
      const end = Math.min(start + 4, half);
      let least = start;
      let most = start;
      let gap = -1;
      for (let index = start; index < end; index += 1) {
        const value = this.points[index][1];
        if (value === null) gap = index;
        else {
          if (this.points[least][1] === null || value < this.points[least][1]) least = index;
          if (this.points[most][1] === null || value > this.points[most][1]) most = index;
        }
      }
      kept.push(...[...new Set([least, most, gap])].filter((index) => index >= 0).sort((a, b) => a - b));
    }
    const pick = (column) => kept.map((index) => column[index]).concat(column.slice(half));
    this.low = pick(this.low);
    this.high = pick(this.high);
    this.points = pick(this.points);
    if (this.points.length > CAPACITY) {
      for (const column of [this.points, this.low, this.high]) column.splice(0, half);
    }
  }

  /** What lies in `from…to` and one point on each side, at most about `budget` points, extremes kept. */
  view(from, to, budget) {
    const start = Math.max(0, this.indexOf(from) - 1);
    const end = Math.min(this.points.length, this.indexOf(to) + 1);
    const size = end - start;
    if (size <= budget) return { start, end, stride: 1, rows: this.points.slice(start, end) };
    const stride = Math.ceil((2 * size) / budget);
    const rows = [];
    for (let block = start; block < end; block += stride) {
      const stop = Math.min(block + stride, end);
      let least = null;
      let most = null;
      for (let index = block; index < stop; index += 1) {
        const point = this.points[index];
        if (point[1] === null) rows.push(point);
        else {
          if (!least || point[1] < least[1]) least = point;
          if (!most || point[1] > most[1]) most = point;
        }
      }
      if (least) rows.push(...(least === most ? [least] : least[0] < most[0] ? [least, most] : [most, least]));
    }
    rows.sort((left, right) => left[0] - right[0]);
    return { start, end, stride, rows };
  }
}
