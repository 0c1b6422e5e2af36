// Table 2 of the paper on the embedded model with one seed, from a program: about ten minutes on two cores. Run again, it goes on.
import { experiment } from 'mstar';

const [table] = await experiment({ names: ['table2'], scale: 'tiny', seeds: [1], out: 'runs/experiments' });
console.log(table);
