// check chosen by functions 4/4
// check order 4/4
// check data 4/4
// check several 4/4
// check from the end 4/4
import { check } from 'k6';
import { parseHTML } from 'k6/html';

const page = `<ul><li class="a" data-user-id="7" data-open="true" data-more='{"x":[1]}' data-code="007">1</li><li>2</li><li class="a">3</li></ul>
<form><input name="z" value="1"><input name="a" value="2"><select name="m" multiple><option value="p" selected>P</option><option value="q">Q</option><option value="r" selected>R</option></select>
<input name="z" value="3"></form>`;
export default function () {
  const doc = parseHTML(page), li = doc.find('li'), form = doc.find('form');
  check(null, {
    'chosen by functions': () => li.filter((i, el) => el.text() === '2').size() === 1 && li.not((i) => i === 0).size() === 2 && li.filter('.a').size() === 2 &&
      li.not('.a').text() === '2' && li.filter(doc.find('.a')).size() === 2 && li.is('.a') && li.is((i, el) => el.text() === '3') && !li.is('.none'),
    'order': () => form.serialize() === 'z=1&a=2&m=p&m=r&z=3' && form.serializeArray().map((f) => f.name).join() === 'z,a,m,m,z' && form.serializeObject().z === '3',
    'data': () => li.data('userId') === 7 && li.data('user-id') === 7 && li.data('open') === true && li.data('more').x[0] === 1 && li.data('code') === '007' &&
      li.data().userId === 7 && li.data('none') === undefined,
    'several': () => doc.find('select').val().join() === 'p,r' && doc.find('input').val() === '1',
    'from the end': () => li.get(-1).text() === '3' && li.slice(-2).size() === 2 && li.slice(0, -1).text() === '12' && li.eq(-1).text() === '3' && li.slice(-9, 1).size() === 1 && li.get(3) === undefined,
  });
}
