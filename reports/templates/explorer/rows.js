// What is known of single rows: names, lineages, children, clades. Places are those of the walk.
class Rows {
  constructor(rows, facts) {
    this.rows = rows;
    this.facts = facts;
    this.labels = null;
    this.lower = null;
  }

  identifier(i) {
    const found = this.labels && this.labels.identifiers ? this.labels.identifiers[this.labels.idx[i]] : undefined;
    return found === undefined || found === "" ? null : found;
  }

  taxon(i) {
    const { names, named } = this.labels || {};
    if (!names) return "";
    const at = named ? named[i] : i;
    return at < 0 ? "" : names[at];
  }

  name(i) {
    if (!this.labels) return "";
    const identifier = this.identifier(i);
    return this.taxon(i) || (identifier === null ? `idx ${this.labels.idx[i]}` : String(identifier));
  }

  lineage(i) {
    const above = [];
    for (let p = this.rows.parent[i]; p >= 0; p = this.rows.parent[p]) above.push(p);
    return above.reverse();
  }

  children(i, most = Infinity) {
    const found = [], end = i + this.rows.size[i];
    for (let k = i + 1; k < end && found.length < most; k += this.rows.size[k]) found.push(k);
    return found;
  }

  // the largest children, and what stands between them and the most that have a colour
  clades(head) {
    return this.children(head).sort((a, b) => this.rows.size[b] - this.rows.size[a] || a - b)
      .slice(0, this.facts.clades_most);
  }

  at(idx) {
    if (!this.labels) return -1;
    return this.labels.idx.indexOf(idx);
  }

  // rows whose name holds a text, those that begin with it first; an identifier or idx that is it
  find(text, most) {
    const wanted = text.trim().toLowerCase(), { labels, rows } = this;
    if (!wanted || !labels) return { found: [], total: 0 };
    const begin = [], within = [];
    let total = 0;
    if (labels.identifiers) {
      for (let i = 0; i < rows.n; i++) {
        const id = this.identifier(i);
        if (id !== null && String(id).toLowerCase() === wanted) { begin.push(i); total++; }
      }
    }
    if (labels.names) {
      if (!this.lower) this.lower = labels.names.map((name) => name.toLowerCase());
      for (let i = 0; i < rows.n; i++) {
        const at = labels.named ? labels.named[i] : i;
        if (at < 0) continue;
        const where = this.lower[at].indexOf(wanted);
        if (where < 0 || begin.includes(i)) continue;
        total++;
        if (where === 0 && begin.length < 4 * most) begin.push(i);
        else if (where > 0 && within.length < most) within.push(i);
      }
    }
    if (!total && /^idx \d+$/.test(wanted)) {
      const i = this.at(Number(wanted.slice(4)));
      if (i >= 0) { begin.push(i); total = 1; }
    }
    begin.sort((a, b) => this.name(a).length - this.name(b).length);
    return { found: [...begin, ...within].slice(0, most), total };
  }

  marks(i) {
    return this.facts.marks.filter((_, bit) => this.rows.flags[i] >> bit & 1);
  }

  // a table of rows as CSV (RFC 4180); text that a spreadsheet would compute is marked as text
  csv(places) {
    const cell = (value) => {
      let text = value === null ? "" : String(value);
      if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    };
    const lines = places.map((i) => [this.labels.idx[i], this.identifier(i), this.taxon(i)].map(cell).join(","));
    return ["idx,identifier,name", ...lines, ""].join("\r\n");
  }
}
