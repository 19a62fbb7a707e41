/** How an expression ends, with the stack of an error cut after the function that failed, and without what a release adds to it. */
export const plainModule = String.raw`
-module(plain).
-export([ask/1]).
ask(Fun) -> try {value, plain(Fun())} catch Class:Reason -> {Class, plain(Reason)} end.
plain([{M, F, A, L} | _]) when is_atom(M), is_atom(F), is_list(L) -> {stack, M, F, plain(A)};
plain(T) when is_tuple(T) -> list_to_tuple([plain(E) || E <- tuple_to_list(T)]);
plain([H | T]) -> [plain(H) | plain(T)];
plain(P) when is_pid(P) -> pid;
plain(T) -> T.
`
