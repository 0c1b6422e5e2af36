// `mstar serve MODEL`: answers OpenAI's chat-completions protocol until it is asked to end.
import { checkFlags } from '../config/sample.js';
import { serveSchema } from '../config/serve.js';
import { displayOf, printResult, verb } from './result.js';
import { schemaFlags, settingsOf } from './sample-flags.js';
import { stopSignal } from './stop.js';

export default verb({
  command: 'serve <model>',
  describe: "answer OpenAI's chat-completions protocol, with pictures, from a model and its PRM",
  builder: (yargs) =>
    schemaFlags(yargs, serveSchema)
      .positional('model', {
        type: 'string',
        demandOption: true,
        describe: 'checkpoint folder in Hugging Face form, or its name on the hub as hf:ORG/NAME',
      })
      .example('$0 serve runs/demo/checkpoints/iter-0003', 'at http://127.0.0.1:8000/v1')
      .example('$0 serve MODEL --prm DIR --kv-gib 8', 'and scores of steps at /v1/score')
      .example('MSTAR_API_KEY=... $0 serve MODEL --host 0.0.0.0', 'for other machines, who must bring the key')
      .example(
        `curl http://127.0.0.1:8000/v1/chat/completions -H 'content-type: application/json' -d '{"model": "NAME", "messages": [{"role": "user", "content": "What is 2 + 3?"}]}'`,
        'a first question',
      )
      .epilogue(
        'Clients of OpenAI take the printed address as their base URL, and any key where none is set. Pictures come in the request as data: URLs. The connection is not encrypted: beyond this machine put a proxy before it, or a tunnel such as that of ssh. GET /metrics is for Prometheus, GET /health for what watches over it. SIGTERM lets requests end within --grace and refuses new ones.',
      ),
  async handler({ model, ...flags }) {
    const settings = checkFlags(serveSchema, settingsOf(flags, serveSchema));
    const display = displayOf(flags);
    const { serve } = await import('../jobs/serve.js');
    const { url, name, close } = await serve(model, settings, display);
    const stop = stopSignal(display);
    printResult(flags, { url, model: name }, [url, `model ${name}`]);
    if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve));
    await close();
  },
});
