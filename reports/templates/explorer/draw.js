// Points written straight into pixels: no call of the canvas for each, so that all rows can be drawn.
class Draw {
  constructor(rows) {
    this.rows = rows;
    this.n = rows.n;
    this.sx = new Int16Array(this.n); // where each was drawn, for whoever points at it; -1: nowhere
    this.sy = new Int16Array(this.n);
    this.colour = new Uint8Array(this.n); // of each, a place in the palette
    this.palette = new Uint32Array(256);
    this.faint = new Uint32Array(256); // the same for edges
    this.hidden = null; // Uint8Array, 1: not drawn
    this.large = 2 ** 31;
    const sizes = [...rows.size.filter((s) => s > 1)].sort((a, b) => b - a);
    if (sizes.length) this.large = sizes[Math.min(sizes.length - 1, 150)];
    if (rows.hyperbolic) this.prepare();
  }

  // what a boost needs of each row, once
  prepare() {
    const n = this.n, { angle, radius } = this.rows;
    this.c = new Float64Array(n);
    this.s = new Float64Array(n);
    this.grown = new Float64Array(n); // e^r and e^-r in the scale of the disc
    this.shrunk = new Float64Array(n);
    this.x = new Float32Array(n); // in the native disc of radius 1
    this.y = new Float32Array(n);
    const largest = this.rows.largest || 1;
    for (let i = 0; i < n; i++) {
      const half = angle[i] / 2, c = Math.cos(half), s = Math.sin(half), r = radius[i];
      this.c[i] = c;
      this.s[i] = s;
      this.x[i] = r / largest * (c * c - s * s);
      this.y[i] = r / largest * 2 * s * c;
    }
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
    this.image = new ImageData(width, height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  // a map: the native disc, or the plane; `zoom` and [dx, dy] move it like one
  placeMap(middle, reach, zoom, dx, dy) {
    const n = this.n, x = this.rows.hyperbolic ? this.x : this.rows.x, y = this.rows.hyperbolic ? this.y : this.rows.y;
    const sx = this.sx, sy = this.sy, w = this.width, h = this.height, size = reach * zoom;
    const left = middle[0] + dx + 0.5, top = middle[1] + dy + 0.5, flags = this.rows.flags;
    for (let i = 0; i < n; i++) {
      const px = left + x[i] * size, py = top - y[i] * size;
      if (px >= 0 && py >= 0 && px < w && py < h && flags[i] < 128) { sx[i] = px; sy[i] = py; }
      else sx[i] = -1;
    }
  }

  // the radii of all rows, halved k times: the plane that the disc then shows is drawn in that scale
  scale(k) {
    if (this.k === k) return;
    this.k = k;
    const { n, grown, shrunk } = this, radius = this.rows.radius, part = 2 ** -k;
    for (let i = 0; i < n; i++) {
      grown[i] = Math.exp(radius[i] * part);
      shrunk[i] = 1 / grown[i];
    }
  }

  // the Poincaré disc around what is looked at
  placeDisc(view, middle, reach) {
    const n = this.n, { c, s, grown, shrunk, sx, sy } = this, flags = this.rows.flags;
    const vc = Math.cos(view.angle / 2), vs = Math.sin(view.angle / 2);
    const out = Math.exp(-view.radius), back = Math.exp(view.radius);
    const ours = back - out, ch = back + out; // twice sinh and cosh
    const tc = Math.cos(view.turn) * reach, ts = Math.sin(view.turn) * reach;
    const left = middle[0] + 0.5, top = middle[1] + 0.5;
    for (let i = 0; i < n; i++) {
      if (flags[i] > 127) { sx[i] = -1; continue; }
      const sd = s[i] * vc - c[i] * vs, cd = c[i] * vc + s[i] * vs;
      const e = grown[i], f = shrunk[i], sh = e - f; // twice sinh r
      const a = e * out, b = f * back, q = sh * sd * sd;
      const y1 = (a - b - q * ch) / 2, y2 = sh * sd * cd, below = 1 / (1 + (a + b + q * ours) / 2);
      sx[i] = left + (y1 * tc - y2 * ts) * below;
      sy[i] = top - (y1 * ts + y2 * tc) * below;
    }
  }

  disc(middle, reach, inside, rim) {
    const { pixels, width, height } = this;
    const [cx, cy] = middle, r = reach + 2, low = (r - 1.4) ** 2, high = r * r;
    const top = Math.max(0, Math.floor(cy - r)), end = Math.min(height, Math.ceil(cy + r));
    for (let y = top; y < end; y++) {
      const half = Math.sqrt(Math.max(high - (y - cy) ** 2, 0));
      const from = Math.max(0, Math.ceil(cx - half)), to = Math.min(width, Math.ceil(cx + half));
      pixels.fill(inside, y * width + from, y * width + to);
      for (let x = from; x < to; x++) {
        if ((x - cx) ** 2 + (y - cy) ** 2 > low) pixels[y * width + x] = rim;
        else if (x < cx) x = Math.min(to - 1, Math.floor(2 * cx - x) - 1);
      }
    }
  }

  // edges to parents, in the faint colours: of subtrees of so many nodes
  edges(least) {
    const { sx, sy, pixels, width, colour, faint, hidden } = this, { parent, size } = this.rows;
    for (let i = this.n - 1; i > 0; i--) {
      const p = parent[i];
      if (p < 0 || size[i] < least || sx[i] < 0 || sx[p] < 0 || (hidden && hidden[i])) continue;
      const x0 = sx[i], y0 = sy[i], dx = sx[p] - x0, dy = sy[p] - y0;
      const steps = Math.max(Math.abs(dx), Math.abs(dy)), paint = faint[colour[i]];
      if (steps < 2) continue;
      const ax = dx / steps, ay = dy / steps;
      for (let k = 1, x = x0 + 0.5, y = y0 + 0.5; k < steps; k++) {
        x += ax;
        y += ay;
        pixels[(y | 0) * width + (x | 0)] = paint;
      }
    }
  }

  points(dot, dotLarge) {
    const { n, sx, sy, pixels, width, height, colour, palette, hidden, large } = this, size = this.rows.size;
    const half = dot >> 1;
    for (let i = n - 1; i >= 0; i--) {
      const x = sx[i], y = sy[i];
      if (x < 0 || (hidden && hidden[i])) continue;
      const paint = palette[colour[i]];
      if (size[i] >= large) { this.spot(x, y, dotLarge, paint); continue; }
      if (dot === 1) { pixels[y * width + x] = paint; continue; }
      if (dot > 3) { this.spot(x, y, dot, paint); continue; }
      if (x < half || y < half || x + dot > width || y + dot > height) continue;
      let at = (y - half) * width + x - half;
      for (let k = 0; k < dot; k++, at += width) for (let j = 0; j < dot; j++) pixels[at + j] = paint;
    }
  }

  // a round spot
  spot(x, y, dot, paint) {
    const { pixels, width, height } = this, r = dot / 2, whole = Math.ceil(r);
    for (let dy = -whole; dy <= whole; dy++) {
      const yy = y + dy;
      if (yy < 0 || yy >= height || Math.abs(dy) > r) continue;
      const span = Math.floor(Math.sqrt(r * r - dy * dy) + 0.3);
      const from = Math.max(0, x - span), to = Math.min(width - 1, x + span);
      if (to >= from) pixels.fill(paint, yy * width + from, yy * width + to + 1);
    }
  }

  // the drawn row that is nearest to a pixel, at most so far away; -1 for none
  nearest(x, y, within) {
    const { n, sx, sy, hidden } = this;
    let best = -1, least = within * within;
    for (let i = 0; i < n; i++) {
      if (sx[i] < 0 || (hidden && hidden[i])) continue;
      const dx = sx[i] - x, dy = sy[i] - y, apart = dx * dx + dy * dy;
      if (apart < least) { least = apart; best = i; }
    }
    return best;
  }

  // the rows inside of a polygon [[x, y], ...], ascending
  inside(polygon) {
    const found = [], { n, sx, sy, hidden } = this;
    for (let i = 0; i < n; i++) {
      if (sx[i] < 0 || (hidden && hidden[i])) continue;
      const x = sx[i] + 0.25, y = sy[i] + 0.25;
      let odd = false;
      for (let k = 0, j = polygon.length - 1; k < polygon.length; j = k++) {
        const [ax, ay] = polygon[k], [bx, by] = polygon[j];
        if (ay > y !== by > y && x < (bx - ax) * (y - ay) / (by - ay) + ax) odd = !odd;
      }
      if (odd) found.push(i);
    }
    return found;
  }
}
