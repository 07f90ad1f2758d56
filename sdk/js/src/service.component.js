// The host's models, within a component.

import * as models from "djhost:op/models@0.2.0";

export const service = models;
