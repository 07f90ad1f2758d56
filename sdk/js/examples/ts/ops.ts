import { component } from "djhost-sdk";

import { alnumFilter } from "./alnum_filter.ts";
import { prefixDeduplicator } from "./prefix_deduplicator.ts";
import { splitMapper } from "./split_mapper.ts";

export const ops = component(alnumFilter, splitMapper, prefixDeduplicator);
