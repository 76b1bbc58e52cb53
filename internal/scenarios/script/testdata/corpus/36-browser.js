// refuse 36-browser.js:3:
// refuse perfctl drives no browser
import { browser } from 'k6/browser';
export default async function () { await browser.newPage(); }
