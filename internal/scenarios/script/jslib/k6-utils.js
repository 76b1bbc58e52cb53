// Helpers of k6-utils, in perfctl's own words.
import { check as plainCheck, group } from 'k6';
import exec from 'k6/execution';

export function randomIntBetween(min, max) {
  return Math.floor(Math.random() * (max - min + 1)) + min;
}

export function randomItem(items) {
  return items[Math.floor(Math.random() * items.length)];
}

export function randomString(length, charset) {
  const from = charset || 'abcdefghijklmnopqrstuvwxyz';
  let text = '';
  for (let i = 0; i < length; i++) {
    text += from[Math.floor(Math.random() * from.length)];
  }
  return text;
}

export function uuidv4(secure) {
  if (secure) {
    return crypto.randomUUID();
  }
  let text = '';
  for (const c of 'xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx') {
    const digit = Math.floor(Math.random() * 16);
    if (c === 'x') {
      text += digit.toString(16);
    } else if (c === 'y') {
      text += (8 + digit % 4).toString(16);
    } else {
      text += c;
    }
  }
  return text;
}

export function findBetween(content, left, right, repeat) {
  const found = [];
  let at = 0;
  for (;;) {
    const from = content.indexOf(left, at);
    if (from < 0) {
      break;
    }
    const to = content.indexOf(right, from + left.length);
    if (to < 0) {
      break;
    }
    const text = content.substring(from + left.length, to);
    if (!repeat) {
      return text;
    }
    found.push(text);
    at = to + right.length;
  }
  return repeat ? found : null;
}

export function normalDistributionStages(maxVus, durationSeconds, numberOfStages = 10) {
  const bell = (x) => Math.exp(-((x - 0.5) ** 2) / (2 * 0.15 ** 2));
  const stages = [{ duration: '0s', target: 0 }];
  const length = Math.ceil(durationSeconds / (numberOfStages + 1));
  for (let i = 1; i <= numberOfStages; i++) {
    stages.push({ duration: `${length}s`, target: Math.ceil(maxVus * bell(i / (numberOfStages + 1))) });
  }
  stages.push({ duration: `${length}s`, target: 0 });
  return stages;
}

function parse(text) {
  if (typeof text === 'number') {
    return text;
  }
  const units = { d: 86400000, h: 3600000, m: 60000, s: 1000, ms: 1 };
  let ms = 0;
  for (const part of String(text).matchAll(/([\d.]+)(ms|d|h|m|s)/g)) {
    ms += parseFloat(part[1]) * units[part[2]];
  }
  return ms;
}

export function parseDuration(text) {
  return parse(text);
}

export function getCurrentStageIndex() {
  const settings = exec.test.options.scenarios[exec.scenario.name];
  if (!settings || !settings.stages) {
    throw new Error(`the scenario ${exec.scenario.name} has no stages`);
  }
  const passed = Date.now() - exec.scenario.startTime;
  let end = 0;
  for (let i = 0; i < settings.stages.length; i++) {
    end += parse(settings.stages[i].duration);
    if (passed < end) {
      return i;
    }
  }
  return settings.stages.length - 1;
}

export function tagWithCurrentStageIndex() {
  exec.vu.metrics.tags.stage = String(getCurrentStageIndex());
}

export function getCurrentStageProfile() {
  const stages = exec.test.options.scenarios[exec.scenario.name].stages;
  const i = getCurrentStageIndex();
  const before = i === 0 ? 0 : stages[i - 1].target;
  if (stages[i].target === before) {
    return 'steady';
  }
  return stages[i].target > before ? 'ramp-up' : 'ramp-down';
}

export function tagWithCurrentStageProfile() {
  exec.vu.metrics.tags.stage_profile = getCurrentStageProfile();
}

// check awaits what its conditions return, where a condition is async.
export async function check(value, sets, tags) {
  const known = {};
  for (const name of Object.keys(sets)) {
    const x = typeof sets[name] === 'function' ? sets[name](value) : sets[name];
    known[name] = !!(await x);
  }
  return plainCheck(value, known, tags);
}

export function describe(name, body) {
  return group(name, body);
}

export default {
  randomIntBetween, randomItem, randomString, uuidv4, findBetween, normalDistributionStages, parseDuration,
  getCurrentStageIndex, tagWithCurrentStageIndex, getCurrentStageProfile, tagWithCurrentStageProfile,
};
