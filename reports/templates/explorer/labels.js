// Words over the picture: great clades first, then inner nodes, as far as they do not overlap.
class Labels {
  constructor(canvas, told) {
    this.context = canvas.getContext("2d");
    this.canvas = canvas;
    this.told = told;
    this.order = []; // places by the size of their subtree
  }

  prepare() {
    const { size, n } = this.told.rows;
    const inner = [];
    for (let i = 0; i < n; i++) if (size[i] > 2) inner.push(i);
    this.order = inner.sort((a, b) => size[b] - size[a] || a - b).slice(0, 3000);
  }

  clear() {
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    this.taken = [];
  }

  fits(x, y, w, h) {
    if (x < 2 || y < 2 || x + w > this.width - 2 || y + h > this.height - 2) return false;
    return this.taken.every(([a, b, c, d]) => x + w < a || a + c < x || y + h < b || b + d < y);
  }

  say(text, x, y, size, ink, halo, weight = 400, off = 7) {
    const { context } = this, short = text.length > 34 ? `${text.slice(0, 33)}…` : text;
    context.font = `${weight} ${size}px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif`;
    const w = context.measureText(short).width, h = size + 2;
    for (const [dx, dy] of [[off, -h / 2], [-w - off, -h / 2], [-w / 2, -h - off], [-w / 2, off]]) {
      if (!this.fits(x + dx, y + dy, w, h)) continue;
      this.taken.push([x + dx - 3, y + dy - 1, w + 6, h + 2]);
      context.textBaseline = "middle";
      context.lineJoin = "round";
      context.lineWidth = 3.5;
      context.strokeStyle = halo;
      context.strokeText(short, x + dx, y + dy + h / 2);
      context.fillStyle = ink;
      context.fillText(short, x + dx, y + dy + h / 2);
      return true;
    }
    return false;
  }

  // where the rows of a clade lie together at the rim: the middle of its densest stretch of the circle
  rim(head, draw, middle) {
    const { size } = this.told.rows, bins = new Float64Array(72), end = head + size[head];
    let total = 0;
    const step = Math.max(1, Math.floor(size[head] / 4000));
    for (let i = head; i < end; i += step) {
      if (draw.sx[i] < 0) continue;
      const dx = draw.sx[i] - middle[0], dy = draw.sy[i] - middle[1];
      bins[Math.floor((Math.atan2(dy, dx) / (2 * Math.PI) + 1) * 72) % 72]++;
      total++;
    }
    let best = -1, most = 0;
    for (let k = 0; k < 72; k++) {
      let held = 0;
      for (let j = -4; j <= 4; j++) held += bins[(k + j + 72) % 72];
      if (held > most) { most = held; best = k; }
    }
    return total > 0 && most > total * 0.3 ? ((best + 0.5) / 72) * 2 * Math.PI : null;
  }

  // `state`: pixels a CSS pixel, heads of the colours and their inks, the rim, what is looked at
  draw(draw, state) {
    const { context } = this, { ratio, middle, reach, heads, inks, ink, muted, halo } = state;
    this.clear();
    this.width = this.canvas.width / ratio;
    this.height = this.canvas.height / ratio;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    if (state.chosen >= 0) this.mark(draw, state);
    if (!state.wanted) return;
    if (state.rim) {
      heads.forEach((head, k) => {
        const angle = this.rim(head, draw, middle);
        if (angle === null) return;
        const x = (middle[0] + Math.cos(angle) * (reach + 8 * ratio)) / ratio;
        const y = (middle[1] + Math.sin(angle) * (reach + 8 * ratio)) / ratio;
        this.outside(this.told.name(head), x, y, angle, inks[k], halo);
      });
    }
    let left = state.room;
    for (const i of this.order) {
      if (left <= 0) break;
      if (draw.sx[i] < 0 || (draw.hidden && draw.hidden[i]) || i === state.chosen) continue;
      if (state.rim && heads.includes(i)) continue;
      const at = heads.indexOf(i);
      const x = draw.sx[i] / ratio, y = draw.sy[i] / ratio;
      if (this.say(this.told.name(i), x, y, 13, at >= 0 ? inks[at] : muted, halo, at >= 0 ? 650 : 400)) left--;
    }
  }

  // beside the disc, turned away from it
  outside(text, x, y, angle, ink, halo) {
    const { context } = this, short = text.length > 26 ? `${text.slice(0, 25)}…` : text;
    context.font = '650 13px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif';
    const w = context.measureText(short).width, h = 15, c = Math.cos(angle), s = Math.sin(angle);
    let tx = x + (c - 1) / 2 * w, ty = y + (s - 1) / 2 * h;
    tx = Math.max(2, Math.min(tx, this.width - w - 2));
    ty = Math.max(2, Math.min(ty, this.height - h - 2));
    for (const push of [0, 17, -17, 34, -34]) {
      if (!this.fits(tx, ty + push, w, h)) continue;
      this.taken.push([tx - 3, ty + push - 1, w + 6, h + 2]);
      context.textBaseline = "middle";
      context.lineJoin = "round";
      context.lineWidth = 4;
      context.strokeStyle = halo;
      context.strokeText(short, tx, ty + push + h / 2);
      context.fillStyle = ink;
      context.fillText(short, tx, ty + push + h / 2);
      return;
    }
  }

  // what is looked at, and the way up to its root
  mark(draw, { chosen, ratio, ink, halo, accent }) {
    const { context, told } = this, { parent } = told.rows;
    context.lineJoin = "round";
    const line = (from, to, width, colour) => {
      context.beginPath();
      context.moveTo(draw.sx[from] / ratio, draw.sy[from] / ratio);
      context.lineTo(draw.sx[to] / ratio, draw.sy[to] / ratio);
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    };
    const shown = (i) => i >= 0 && draw.sx[i] >= 0;
    for (const child of told.children(chosen, 400)) {
      if (shown(child) && shown(chosen)) line(child, chosen, 1, accent);
    }
    for (let i = chosen; i >= 0 && parent[i] >= 0; i = parent[i]) {
      if (!shown(i) || !shown(parent[i])) continue;
      line(i, parent[i], 4, halo);
      line(i, parent[i], 2, ink);
    }
    if (!shown(chosen)) return;
    const x = draw.sx[chosen] / ratio, y = draw.sy[chosen] / ratio;
    for (const [radius, width, colour] of [[9, 5, halo], [9, 2.5, ink]]) {
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.lineWidth = width;
      context.strokeStyle = colour;
      context.stroke();
    }
    this.say(told.name(chosen), x, y, 14, ink, halo, 650, 14);
    this.taken.push([x - 11, y - 11, 22, 22]);
  }
}
