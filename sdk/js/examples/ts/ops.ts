import { component } from "djhost-sdk";

import { alnumFilter } from "./alnum_filter.ts";
import { fluencyFilter } from "./fluency_filter.ts";
import { histogramMapper } from "./histogram_mapper.ts";
import { prefixDeduplicator } from "./prefix_deduplicator.ts";
import { splitMapper } from "./split_mapper.ts";

export const ops = component(alnumFilter, splitMapper, prefixDeduplicator, histogramMapper, fluencyFilter);
