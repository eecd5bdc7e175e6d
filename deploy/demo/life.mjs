// The life of one finding at one tenant: from a catalogue entry to the list of
// events that a team would have recorded, in the order of time.
import { Dice, sha256Hex, uuidOf } from './dice.mjs';
import { acceptances, closures, comments, dismissals, plans, reopenings, tenants } from './words.mjs';

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;
const SCORES = [9.8, 9.8, 9.8, 9.1, 8.8, 8.8, 8.1, 7.8, 7.8, 7.5, 7.2, 6.5, 5.4];

const slug = (text) => text.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '');

// One policy a year: each (tenant, policy version) is one chain of the ledger.
const policyOf = (year) => `exploited-vulnerabilities-${year}.1`;

// The risk engine's profile gets a new version now and then, never an older one.
const profileAt = (time) => (time < Date.UTC(2023, 0) ? '1.4.0' : time < Date.UTC(2024, 6) ? '1.5.2' : '2.0.0');

class Life {
  events = [];

  constructor(entry, tenant, horizon) {
    this.entry = entry;
    this.tenant = tenant;
    this.people = tenants[tenant];
    this.horizon = horizon;
    this.dice = new Dice(`${tenant} ${entry.cveID}`);
    this.artifactId = `pkg:generic/${slug(entry.vendorProject)}/${slug(entry.product)}`;
    this.findingId = `${entry.cveID}@${this.artifactId}`;
    this.analyst = this.dice.pick(this.people.analysts);
    this.engineer = this.dice.pick(this.people.engineers);
    this.score = this.dice.pick(SCORES);
    const seen = Date.parse(`${entry.dateAdded}T06:00:00Z`) + this.dice.between(0, 5 * HOUR);
    this.time = Math.min(seen, horizon);
  }

  // Time passes; a life goes no further than the day of the catalogue.
  after(lowHours, highHours) {
    this.time += this.dice.between(lowHours * HOUR, highHours * HOUR) + 1;
    return this;
  }

  record(type, actorId, actorType, payload, more = {}) {
    if (this.events.length > 0 && this.time > this.horizon) return;
    this.events.push({
      tenant: this.tenant,
      type,
      findingId: this.findingId,
      artifactId: this.artifactId,
      vulnId: this.entry.cveID,
      policyVersion: policyOf(this.entry.dateAdded.slice(0, 4)),
      actorId,
      actorType,
      occurredAt: new Date(this.time).toISOString(),
      eventId: uuidOf(`demo event\n${this.tenant}\n${this.findingId}\n${this.events.length + 1}`),
      ...more,
      payload,
    });
  }

  created() {
    const { entry } = this;
    this.record('finding.created', 'scanner:nightly', 'system', {
      title: entry.vulnerabilityName,
      description: entry.shortDescription,
      requiredAction: entry.requiredAction,
      dueDate: entry.dueDate,
      weaknesses: entry.cwes ?? [],
      references: (entry.notes ?? '').split(';').map((text) => text.trim()).filter((text) => text !== ''),
      status: 'affected',
      severity: this.score,
      labels: {
        vendor: entry.vendorProject,
        product: entry.product,
        ransomware: (entry.knownRansomwareCampaignUse ?? 'Unknown').toLowerCase(),
      },
      explainRef: `explain://${this.tenant}/${entry.cveID}/1`,
      rationale: ['listed as exploited', `due ${entry.dueDate}`],
    }, { sourceRunId: uuidOf(`scan run\n${this.tenant}\n${entry.dateAdded}`) });
  }

  scored() {
    const pressure = this.entry.knownRansomwareCampaignUse === 'Known' ? 8 : 0;
    const score = Math.min(100, Math.round((this.score * 9.2 + pressure + this.dice.fraction() * 4) * 100) / 100);
    this.record('finding.risk_scored', 'engine:risk', 'system', {
      risk: {
        score,
        profileVersion: profileAt(this.time),
        explanationId: uuidOf(`explanation\n${this.tenant}\n${this.findingId}\n${this.events.length}`),
      },
    });
  }

  triaged() {
    this.record('finding.status_changed', this.analyst, 'operator', {
      status: 'triaged',
      comment: this.dice.pick(comments),
    });
  }

  assigned() {
    this.record('finding.assignment_changed', this.analyst, 'operator', {
      assignee: this.engineer,
      team: this.dice.pick(this.people.teams),
      ticket: `${this.people.ticketPrefix}-${this.dice.between(1000, 99999)}`,
    });
  }

  commented() {
    const own = this.entry.comments ?? [];
    const text = own.length > 0 && this.dice.chance(0.6) ? this.dice.pick(own) : this.dice.pick(comments);
    this.record('finding.comment_added', this.dice.pick([this.analyst, this.engineer]), 'operator', { comment: text });
  }

  tagged() {
    const remove = this.dice.chance(0.2);
    this.record('finding.tag_updated', 'sync:cmdb', 'integration', {
      labels: {
        exposure: remove ? null : this.dice.pick(['internet', 'internal', 'isolated']),
        environment: this.dice.pick(['production', 'staging', 'workplace']),
      },
    });
  }

  rated() {
    const severity = this.dice.chance(0.5)
      ? this.dice.pick(['critical', 'high', 'medium'])
      : Math.round((this.score - this.dice.fraction() * 3) * 10) / 10;
    this.record('finding.severity_changed', this.analyst, 'operator', {
      severity,
      reason: 'Adjusted to our environment.',
    });
  }

  planned() {
    const { plan, steps } = this.dice.pick(plans);
    this.record('finding.remediation_plan_added', this.engineer, 'operator', {
      plan,
      steps,
      targetDate: new Date(this.time + this.dice.between(3, 30) * DAY).toISOString().slice(0, 10),
    });
  }

  started() {
    this.record('finding.status_changed', this.engineer, 'operator', { status: 'in-progress' });
  }

  attached() {
    this.record('finding.attachment_added', this.engineer, 'operator', {
      fileName: `${this.entry.cveID.toLowerCase()}-evidence.pdf`,
      contentType: 'application/pdf',
      sizeBytes: this.dice.between(20000, 900000),
      sha256: sha256Hex(`attachment\n${this.tenant}\n${this.findingId}`),
    });
  }

  closed() {
    this.record('finding.closed', this.engineer, 'operator', { justification: this.dice.pick(closures) });
  }

  verified() {
    this.record('finding.verified', 'scanner:nightly', 'system', {
      comment: 'The nightly scan no longer finds the vulnerable version.',
    }, { evidenceBundleRef: `bundle:${sha256Hex(`${this.tenant}\n${this.findingId}`).slice(0, 16)}` });
  }

  dismissed() {
    this.record('finding.closed', this.analyst, 'operator', this.dice.pick(dismissals));
  }

  accepted() {
    this.record('finding.accepted_risk', this.people.approver, 'operator', {
      justification: this.dice.pick(acceptances),
      expiresAt: new Date(this.time + this.dice.between(60, 180) * DAY).toISOString().slice(0, 10),
    });
  }

  reopened(reason) {
    this.record('finding.reopened', this.analyst, 'operator', { reason });
  }
}

// Work until the fix: comments and tags on the way, sometimes a file.
function fix(life) {
  const { dice } = life;
  life.after(4, 72).planned();
  life.after(2, 48).started();
  for (let n = dice.between(0, 3); n > 0; n--) life.after(3, 60).commented();
  if (dice.chance(0.25)) life.after(1, 24).attached();
  life.after(6, 120).closed();
  if (dice.chance(0.9)) life.after(8, 48).verified();
}

// Every way a finding goes, with how often it goes that way.
const endings = [
  [0.66, fix],
  [0.80, (life) => {
    life.after(12, 96).accepted();
    if (life.dice.chance(0.4)) {
      life.after(24 * 60, 24 * 180).reopened('The acceptance has expired.');
      fix(life);
    }
  }],
  [0.90, (life) => life.after(4, 72).dismissed()],
  [1.00, (life) => {
    for (let n = life.dice.between(1, 4); n > 0; n--) life.after(24, 24 * 20).commented();
  }],
];

// All events of one catalogue entry at one tenant, none after the horizon.
export function lifeOf(entry, tenant, horizon) {
  const life = new Life(entry, tenant, horizon);
  const { dice } = life;
  life.created();
  life.after(0, 3).scored();
  life.after(1, 30).triaged();
  if (dice.chance(0.85)) life.after(0, 12).assigned();
  if (dice.chance(0.5)) life.after(1, 24).tagged();
  if (dice.chance(0.35)) life.after(1, 48).rated();
  if (dice.chance(0.4)) life.after(1, 48).commented();
  const lot = dice.fraction();
  endings.find(([upTo]) => lot < upTo)[1](life);
  if (dice.chance(0.08)) {
    life.after(24 * 5, 24 * 60).reopened(dice.pick(reopenings));
    fix(life);
  }
  if (dice.chance(0.3)) life.after(24, 24 * 30).scored();
  return life.events;
}
