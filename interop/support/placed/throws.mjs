/** Does not load. */
throw new TypeError('broken at import')
