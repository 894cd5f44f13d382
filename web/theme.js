// Runs before the first paint, so that a stored theme never flashes the other one. Everything else is in modules.
(() => {
  let stored = null;
  try { stored = localStorage.getItem("tocsin.theme"); } catch { /* storage is blocked: follow the system */ }
  if (stored === "light" || stored === "dark") document.documentElement.dataset.theme = stored;
})();
