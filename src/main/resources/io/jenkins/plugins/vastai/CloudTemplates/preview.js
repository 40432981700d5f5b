// Shows what would be rented for the values in the form as they are, unsaved.
(function () {
  const MOST_TRIES = 4;
  const PAUSE_MILLIS = 3000;

  function ask(button, triesLeft) {
    const form = button.closest("form");
    form.dispatchEvent(new Event("jenkins:apply")); // fields write back what they hold
    if (!buildFormTree(form)) {
      return Promise.reject(new Error("form"));
    }
    return fetch(button.dataset.url, {
      method: "post",
      headers: crumb.wrap({
        "Content-Type": "application/x-www-form-urlencoded",
      }),
      body: new URLSearchParams({ json: form.elements.json.value }),
    })
      .then((answer) => {
        if (!answer.ok || answer.redirected) {
          throw new Error(answer.status);
        }
        return answer.text();
      })
      .then((html) => {
        const content = document.createElement("div");
        content.innerHTML = html; // made of escaped texts by our own view
        const pending = content.querySelector("[data-pending=true]") !== null;
        return pending && triesLeft > 0
          ? pause().then(() => ask(button, triesLeft - 1))
          : content;
      });
  }

  function pause() {
    return new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
  }

  function show(button) {
    const caption = button.textContent;
    button.disabled = true;
    button.textContent = button.dataset.asking;
    ask(button, MOST_TRIES - 1)
      .catch(() => {
        const failure = document.createElement("p");
        failure.textContent = button.dataset.failed;
        return failure;
      })
      .then((content) => {
        button.disabled = false;
        button.textContent = caption;
        dialog.modal(content, {
          title: button.dataset.title,
          minWidth: "min(60rem, 90vw)",
          maxWidth: "90vw",
        });
      });
  }

  Behaviour.specify("BUTTON.vastai-preview", "vastai-preview", 0, (button) => {
    button.onclick = () => show(button);
  });
})();
