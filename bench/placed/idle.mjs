/** A module that does nothing: a place that has loaded it has started. */
export const nothing = () => null
