/** Loads on main, where it was tested, and nowhere else. */
if (process.argv[2]?.includes('"place"')) throw new TypeError('broken in a place')
export const fine = () => 1
