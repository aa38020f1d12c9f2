// Loaded before codex-acp: its settings, which an agent in the container cannot write over, and the model,
// which the adapter takes as a setting only.
"use strict";
const settings = require("./codex.json");
const model = process.env.CODEX_MODEL;
process.env.CODEX_CONFIG = JSON.stringify(model ? { ...settings, model } : settings);
