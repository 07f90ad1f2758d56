import { component } from "djhost-sdk";

import { alnumFilter } from "./alnum_filter.js";
import { fluencyFilter } from "./fluency_filter.js";
import { histogramMapper } from "./histogram_mapper.js";
import { prefixDeduplicator } from "./prefix_deduplicator.js";
import { splitMapper } from "./split_mapper.js";

export const ops = component(alnumFilter, splitMapper, prefixDeduplicator, histogramMapper, fluencyFilter);
