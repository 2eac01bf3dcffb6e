// A picture pasted or dropped anywhere on the page goes to the server. Data: {upload: where to}. Events: given, with the
// hash the server knows it by from then on; refused, with a sentence.

const picture = (transfer) => [...(transfer?.files ?? [])].find((file) => file.type.startsWith("image/"));
const files = (transfer) => [...(transfer?.types ?? [])].includes("Files");

export default function ({ parentElement, data, setTriggerValue }) {
  let veil = parentElement.querySelector(".veil");
  if (!veil) {
    veil = document.createElement("div");
    veil.className = "veil";
    veil.textContent = "Drop a picture to search by it";
    veil.hidden = true;
    parentElement.append(veil);
  }
  const send = async (file) => {
    if (!file) return setTriggerValue("refused", "This is not a picture; drop or paste a JPEG, PNG or another image file.");
    try {
      const answer = await fetch(data.upload, { method: "POST", body: file, headers: { "X-Clipsearch": "ask" } });
      const said = await answer.json();
      setTriggerValue(answer.ok ? "given" : "refused", answer.ok ? said.picture : said.error);
    } catch {
      setTriggerValue("refused", "The server did not take the picture; is it still running?");
    }
  };
  const listening = new AbortController();
  const on = (event, heard) => document.addEventListener(event, heard, { signal: listening.signal });
  // Streamlit's own upload takes what is dropped on it.
  const elsewhere = (event) => event.target.closest?.('[data-testid="stFileUploader"]');
  on("paste", (event) => {
    const file = picture(event.clipboardData);
    if (file) send(file);
  });
  on("dragover", (event) => {
    if (!files(event.dataTransfer) || elsewhere(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  on("dragleave", (event) => {
    if (!event.relatedTarget) veil.hidden = true;
  });
  on("drop", (event) => {
    veil.hidden = true;
    if (!files(event.dataTransfer) || elsewhere(event)) return;
    event.preventDefault();
    send(picture(event.dataTransfer));
  });
  return () => listening.abort();
}
