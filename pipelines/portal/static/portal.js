/* What the pages do a little better with scripts; each of them works without. No styles and no texts of its own: what
   it says stands in data attributes. */
"use strict";

(() => {
  const MIB = 1024 * 1024;
  const shownSize = (bytes) => (bytes < MIB ? `${Math.ceil(bytes / 1024)} KB` : `${(bytes / MIB).toFixed(1)} MB`);

  /* Every file of what was dropped, folders opened. */
  const filesOf = async (items) => {
    const entries = [];
    const found = [];
    /* At once: after the first pause the browser takes back what was dropped. */
    for (const item of items) {
      const entry = item.webkitGetAsEntry && item.webkitGetAsEntry();
      const file = entry ? null : item.getAsFile();
      if (entry) entries.push(entry);
      if (file) found.push(file);
    }
    while (entries.length) {
      const entry = entries.shift();
      if (entry.isFile) {
        found.push(await new Promise((resolve, reject) => entry.file(resolve, reject)));
      } else {
        const reader = entry.createReader();
        for (;;) {
          const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
          if (!some.length) break;
          entries.push(...some);
        }
      }
    }
    return found;
  };

  for (const box of document.querySelectorAll("form[data-drop]")) {
    const input = box.querySelector("input[type=file]");
    const chosen = box.querySelector(".upload-chosen");
    const button = box.querySelector("button[type=submit]");
    const tell = () => {
      const files = [...input.files];
      const bytes = files.reduce((sum, file) => sum + file.size, 0);
      const isTooMuch = bytes > Number(box.dataset.mostBytes) || files.length > Number(box.dataset.mostFiles);
      chosen.textContent = isTooMuch
        ? box.dataset.tooMuch
        : files.length
          ? box.dataset.chosen.replace("{count}", files.length).replace("{size}", shownSize(bytes))
          : "";
      chosen.classList.toggle("error-text", isTooMuch);
      input.setCustomValidity(isTooMuch ? box.dataset.tooMuch : "");
    };
    box.querySelector(".upload-drop-hint").hidden = false;
    input.addEventListener("change", tell);
    box.addEventListener("submit", () => {
      chosen.textContent = box.dataset.sending;
      /* After the form has been sent off: a disabled button is not part of it. */
      setTimeout(() => { button.disabled = true; }, 0);
    });
    for (const kind of ["dragenter", "dragover"]) {
      box.addEventListener(kind, (event) => { event.preventDefault(); box.classList.add("is-over"); });
    }
    for (const kind of ["dragleave", "drop"]) {
      box.addEventListener(kind, () => box.classList.remove("is-over"));
    }
    box.addEventListener("drop", async (event) => {
      event.preventDefault();
      const files = await filesOf(event.dataTransfer.items);
      const list = new DataTransfer();
      for (const file of files) list.items.add(file);
      input.files = list.files;
      tell();
      button.focus();
    });
    /* Coming back with the browser's back button finds the button usable again. */
    window.addEventListener("pageshow", () => { button.disabled = false; tell(); });
  }

  /* One box that ticks all of a list; it is not there without scripts. */
  for (const all of document.querySelectorAll("input[data-choose-all]")) {
    const ones = () => [...all.form.elements].filter((one) => one.name === all.dataset.chooseAll);
    const tell = () => {
      const chosen = ones().filter((one) => one.checked).length;
      all.checked = chosen === ones().length;
      all.indeterminate = chosen > 0 && !all.checked;
    };
    all.hidden = false;
    all.addEventListener("change", () => { for (const one of ones()) one.checked = all.checked; });
    all.form.addEventListener("change", (event) => { if (event.target !== all) tell(); });
    tell();
  }
})();
