// Groups of duplicates side by side. Data: {groups: [{number, about, copies: [{id, keep, note, thumbnail, name, folder,
// place, facts}], more}], page, link: the address of a picture without its id}.

function picture(copy, link) {
  if (!copy.thumbnail) return element("div", { class: "none" });
  const image = element("img", { loading: "lazy", decoding: "async", src: copy.thumbnail, alt: copy.name });
  return element("a", { href: link + copy.id, "aria-label": `Open ${copy.name}` }, image);
}

function card(copy, link) {
  const note = element("div", { class: "note" }, ...(copy.keep ? [element("b", {}, "Keep")] : []), copy.note);
  const name = element("div", { class: "name" }, copy.name);
  const folder = element("div", { class: "folder" }, copy.folder);
  const facts = element("div", { class: "facts" }, copy.facts);
  return element("li", { class: copy.keep ? "keep" : "also", title: copy.place }, picture(copy, link), note, facts, name, folder);
}

function drawn(group, link) {
  const heading = element("h3", {}, `Group ${group.number}`, element("span", {}, group.about));
  const cards = element("ul", {}, ...group.copies.map((copy) => card(copy, link)));
  const section = element("section", {}, heading, cards);
  if (group.more) section.append(element("p", {}, `And ${group.more.toLocaleString("en")} more, which the downloaded list has.`));
  section.dataset.drawn = JSON.stringify(group);
  return section;
}

export default function ({ parentElement, data }) {
  let all = parentElement.querySelector(".duplicates");
  if (!all) {
    all = element("div", { class: "duplicates" });
    parentElement.append(all);
  }
  // What has been drawn stays: groups are added while they are found.
  const old = new Map([...all.children].map((section) => [section.dataset.drawn, section]));
  all.replaceChildren(...data.groups.map((group) => old.get(JSON.stringify(group)) ?? drawn(group, data.link)));
  if (all.dataset.page && all.dataset.page !== String(data.page)) all.scrollIntoView({ block: "start" });
  all.dataset.page = data.page;
  all.onclick = (event) => {
    const link = event.target.closest("a");
    if (!link || !isPlain(event)) return;
    event.preventDefault();
    follow(link);
  };
}
