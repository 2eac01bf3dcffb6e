// What several components begin with.

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

// Another button or key opens a link in another tab, as anywhere.
const isPlain = (event) => !(event.button || event.ctrlKey || event.metaKey || event.shiftKey);

// Follow a link to another page as if one came back to it: it is drawn anew, not loaded anew, and the browser's history
// has one step more. Streamlit's own way from page to page makes two.
function follow(link) {
  history.pushState(null, "", link.href);
  window.dispatchEvent(new PopStateEvent("popstate"));
}
