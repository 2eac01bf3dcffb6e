// Looks for a newly published version of the index. Data: {version: the one on the screen, address: where the server
// says which is published}. Event: published. Asked over HTTP, not by a timer of Streamlit's: its runs would come between
// a user's action and what is drawn for it.

const EVERY = 3000;

export default function ({ parentElement, data, setTriggerValue }) {
  const look = async () => {
    // An open picture might blink; nobody looks at a hidden page.
    if (document.hidden || new URLSearchParams(location.search).has("picture")) return;
    try {
      const said = await (await fetch(data.address)).json();
      if (said.version > data.version) setTriggerValue("published", said.version);
    } catch {
      // The server has gone; Streamlit says so.
    }
  };
  // The first look tells the server, too, that the page is there.
  if (!parentElement.dataset.looked) look();
  parentElement.dataset.looked = "yes";
  const timer = setInterval(look, EVERY);
  return () => clearInterval(timer);
}
