// The people of the two tenants, and what they say.

export const tenants = {
  acme: {
    analysts: ['user:maria.keller', 'user:j.okafor', 'user:søren.lind', 'user:priya.raman'],
    engineers: ['user:tom.brandt', 'user:aiko.tanaka', 'user:luis.ferreira'],
    approver: 'user:ciso.hartmann',
    teams: ['platform', 'network', 'workplace', 'storefront'],
    ticketPrefix: 'SEC',
  },
  globex: {
    analysts: ['user:nadia.haddad', 'user:王小明', 'user:olena.shevchenko'],
    engineers: ['user:bruno.costa', 'user:yael.cohen', 'user:emeka.obi', 'user:ana.petrović'],
    approver: 'user:vp.risk.lindqvist',
    teams: ['plant-it', 'cloud', 'erp'],
    ticketPrefix: 'GLX',
  },
};

export const comments = [
  'Confirmed on two hosts; both are behind the VPN.',
  'Vendor advisory read. The fix needs a restart, so it waits for the maintenance window.',
  'Web application firewall rule is in place as a first measure.',
  'No sign of exploitation in the last 30 days of logs.',
  'Asked the owner for the exact build number.',
  'The scanner reports the package although the feature is switched off; keeping it open until proven.',
  'Rolled out to staging, waiting for the nightly tests.',
  'Second site still runs the old image, see the linked ticket.',
  'Reproduced with the public proof of concept in the lab.',
  'Logs of the affected gateway were handed to incident response.',
  'Rückfrage an den Hersteller gestellt, Antwort bis Freitag zugesagt.',
  'Vérifié avec l’équipe réseau : le port n’est pas exposé.',
];

export const acceptances = [
  'End of life in four weeks; the host is isolated from all other networks until then.',
  'Compensating control: access only through the jump host with a hardware token.',
  'The vulnerable module is not installed; the vendor confirmed this in writing.',
  'Patch breaks the certified control software; the certified update is due next quarter.',
  'Read-only kiosk without credentials and without a route to the core network.',
];

export const plans = [
  { plan: 'Update to the fixed release', steps: ['update staging', 'run regression tests', 'update production'] },
  { plan: 'Apply the vendor hotfix out of band', steps: ['snapshot', 'apply hotfix', 'restart', 'verify version'] },
  { plan: 'Replace the product', steps: ['freeze changes', 'migrate users', 'decommission hosts'] },
  { plan: 'Disable the affected feature until the next release', steps: ['switch off', 'document', 'update later'] },
];

export const closures = [
  'Fixed release installed on all hosts.',
  'Affected hosts were decommissioned.',
  'Hotfix applied and service restarted.',
  'Feature removed from the configuration and the image rebuilt.',
];

export const dismissals = [
  { status: 'false_positive', justification: 'The scanner matched the product name of another package.' },
  { status: 'not_affected', justification: 'The installed build does not contain the vulnerable code.' },
  { status: 'not_affected', justification: 'Configuration keeps the vulnerable path out of reach (vendor statement).' },
];

export const reopenings = [
  'An old image was restored from backup and brought the vulnerable version back.',
  'The next scan still finds the vulnerable file on one host.',
  'The vendor withdrew the first fix as incomplete.',
];
