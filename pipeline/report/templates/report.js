// Sorts a table by the column whose head is pressed: up, down, then as it was. Groups and totals stay where they are.
document.querySelectorAll('table[data-sorts]').forEach(table => {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0], first = [...body.rows];
  const text = (row, i) => { const b = row.cells[i].querySelector('bdi'); return (b || row.cells[i]).textContent.trim(); };
  const figure = t => /^[+−-]?[\d,]+(\.\d+)?(e-?\d+)?\s?%?$/.test(t) ? parseFloat(t.replace(/[,%\s]/g, '').replace('−', '-'))
    : t.startsWith('< ') ? figure(t.slice(2)) - 1e-9 : NaN;
  const parts = () => first.reduce((found, row) => {
    if (row.className) found.push({head: row, rows: []}, {rows: []}); else found[found.length - 1].rows.push(row);
    return found;
  }, [{rows: []}]);
  heads.forEach((head, i) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute('aria-sort', 'none');
    button.addEventListener('click', () => {
      const now = {none: 'ascending', ascending: 'descending', descending: 'none'}[head.getAttribute('aria-sort')];
      heads.forEach(other => other.setAttribute('aria-sort', other === head ? now : 'none'));
      const way = now === 'descending' ? -1 : 1;
      const compare = (a, b) => {
        const [s, t] = [text(a, i), text(b, i)], [x, y] = [figure(s), figure(t)];
        if (s === '–' || t === '–') return (s === '–') - (t === '–');
        return way * (isNaN(x) || isNaN(y) ? s.localeCompare(t, document.documentElement.lang) : x - y);
      };
      parts().forEach(part => {
        if (part.head) body.append(part.head);
        body.append(...(now === 'none' ? part.rows : [...part.rows].sort(compare)));
      });
    });
  });
});
