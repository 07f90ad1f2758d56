// The host's models. There are none outside of a component: there `service.component.js` takes the place of this file (`imports` in package.json).

export const service = undefined;
