// The page's rows out of its blocks of bytes; see reports/packing.py for how they were packed.
const Unpack = {
  async bytes(id) {
    const text = atob(document.getElementById(id).textContent);
    const packed = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  },

  has: (id) => document.getElementById(id) !== null,

  // numbers of `width` bytes, whose lowest bytes stand first; `sum`: each is told by its difference
  async numbers(id, width, sum) {
    const bytes = await this.bytes(id), n = bytes.length / width, out = new Int32Array(n);
    for (let k = 0; k < width; k++) {
      const from = k * n, shift = 8 * k;
      for (let i = 0; i < n; i++) out[i] |= bytes[from + i] << shift;
    }
    if (sum) for (let i = 1; i < n; i++) out[i] = (out[i] + out[i - 1]) | 0;
    return out;
  },

  async texts(id) {
    return new TextDecoder().decode(await this.bytes(id)).split("\0");
  },

  // All that the first picture needs. Places are those of the walk: a parent stands before its child.
  async rows(facts) {
    const n = facts.n, rows = { n, hyperbolic: facts.hyperbolic };
    rows.depth = await this.numbers("b-depth", 2, false);
    rows.flags = await this.bytes("b-flags");
    rows.parent = new Int32Array(n).fill(-1);
    rows.size = new Int32Array(n).fill(1);
    const last = [];
    for (let i = 0; i < n; i++) {
      const d = rows.depth[i];
      if (d > 0) rows.parent[i] = last[d - 1];
      last[d] = i;
    }
    for (let i = n - 1; i > 0; i--) if (rows.parent[i] >= 0) rows.size[rows.parent[i]] += rows.size[i];
    if (facts.hyperbolic) await this.polar(rows, facts);
    else await this.flat(rows, facts);
    return rows;
  },

  async polar(rows, facts) {
    const n = rows.n, turns = await this.numbers("b-angle", 4, true);
    const steps = await this.numbers("b-radius", 2, true);
    const fine = this.has("b-fine") ? await this.numbers("b-fine", 4, false) : null;
    rows.angle = new Float64Array(n);
    rows.radius = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const turn = (turns[i] >>> 0) + (fine ? (fine[i] >>> 0) / 2 ** 32 : 0);
      rows.angle[i] = turn / 2 ** 32 * 2 * Math.PI;
      rows.radius[i] = ((steps[i] & 0xffff) / 65534) * (facts.largest || 1);
    }
  },

  async flat(rows, facts) {
    const n = rows.n, x = await this.numbers("b-x", 4, true), y = await this.numbers("b-y", 4, true);
    rows.x = new Float64Array(n);
    rows.y = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      rows.x[i] = (x[i] >>> 0) / (2 ** 32 - 1) * 2 - 1;
      rows.y[i] = (y[i] >>> 0) / (2 ** 32 - 1) * 2 - 1;
    }
  },

  // What is told of single rows; the picture does not wait for it.
  async labels(facts, rows) {
    const n = rows.n;
    const [idx, ranks, more] = await Promise.all([
      this.numbers("b-idx", 4, true),
      this.has("b-ranks") ? this.numbers("b-ranks", 4, false) : null,
      this.has("b-more") ? this.numbers("b-more", 4, false) : null,
    ]);
    const labels = { idx, ranks, more: new Map(), identifiers: null, names: null, named: null };
    if (more) this.further(labels, more);
    if (facts.identifiers) {
      labels.identifiers = facts.identifiers === "numbers"
        ? await this.numbers("b-identifiers", 4, true) : await this.texts("b-identifiers");
    }
    if (facts.named) {
      labels.names = await this.texts("b-names");
      if (facts.named === "inner") {
        labels.named = new Int32Array(n).fill(-1);
        let k = 0;
        for (let i = 0; i < n; i++) if (i + 1 < n && rows.parent[i + 1] === i) labels.named[i] = k++;
      }
    }
    return labels;
  },

  // further parents: children, then parents, each as differences
  further(labels, more) {
    const k = more.length / 2;
    let child = 0, parent = 0;
    for (let i = 0; i < k; i++) {
      child = (child + more[i]) | 0;
      parent = (parent + more[k + i]) | 0;
      if (!labels.more.has(child)) labels.more.set(child, []);
      labels.more.get(child).push(parent);
    }
  },
};
