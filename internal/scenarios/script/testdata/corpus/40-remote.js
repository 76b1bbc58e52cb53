// refuse nothing is downloaded. Put the file beside the script
import { htmlReport } from 'https://raw.githubusercontent.com/someone/reporter/main/dist/bundle.js';
export default function () { htmlReport(); }
