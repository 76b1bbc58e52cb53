// refuse k6/secrets
import secrets from 'k6/secrets';
export default function () { secrets.get('x'); }
