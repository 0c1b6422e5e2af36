// Counts and times of a server, as the text that Prometheus reads: its exposition format, version 0.0.4.

export interface Reading {
  readonly name: string;
  readonly help: string;
  readonly value: number;
}

/** Upper ends of the classes of a time, in seconds. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** How many times were how long. */
class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #counts = new Float64Array(SECONDS.length + 1);
  #sum = 0;

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  observe(seconds: number): void {
    const at = SECONDS.findIndex((end) => seconds <= end);
    (this.#counts[at < 0 ? SECONDS.length : at] as number) += 1;
    this.#sum += seconds;
  }

  lines(): string[] {
    let count = 0;
    const classes = [...SECONDS.map(String), '+Inf'].map((end, at) => {
      count += this.#counts[at] as number;
      return `${this.#name}_bucket{le="${end}"} ${count}`;
    });
    return [
      ...head(this.#name, 'histogram', this.#help),
      ...classes,
      `${this.#name}_sum ${this.#sum}`,
      `${this.#name}_count ${count}`,
    ];
  }
}

export class ServerMetrics {
  readonly requestSeconds = new Histogram('mstar_request_seconds', 'Time from a request to the end of its answer.');
  readonly firstTokenSeconds = new Histogram(
    'mstar_first_token_seconds',
    'Time from a request for an answer to its first token.',
  );
  readonly #requests = new Map<string, number>();
  #promptTokens = 0;
  #completionTokens = 0;

  /** `route`: as the server knows it, never what a client wrote. */
  request(route: string, status: number): void {
    const labels = `route="${route}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
  }

  tokens(prompt: number, completion: number): void {
    this.#promptTokens += prompt;
    this.#completionTokens += completion;
  }

  /** @param now what is measured when it is asked for */
  text(now: readonly Reading[]): string {
    const counter = ({ name, help, value }: Reading): string[] => [...head(name, 'counter', help), `${name} ${value}`];
    const lines = [
      ...head(
        'mstar_requests_total',
        'counter',
        'Requests that have ended, by status: 499 where the client left before its answer began.',
      ),
      ...[...this.#requests].map(([labels, count]) => `mstar_requests_total{${labels}} ${count}`),
      ...counter({ name: 'mstar_prompt_tokens_total', help: 'Tokens of prompts.', value: this.#promptTokens }),
      ...counter({ name: 'mstar_completion_tokens_total', help: 'Tokens drawn.', value: this.#completionTokens }),
      ...now.flatMap(({ name, help, value }) => [...head(name, 'gauge', help), `${name} ${value}`]),
      ...this.requestSeconds.lines(),
      ...this.firstTokenSeconds.lines(),
    ];
    return `${lines.join('\n')}\n`;
  }
}

function head(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}
