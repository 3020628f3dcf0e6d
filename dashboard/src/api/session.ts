import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask } from "./http";
import { live } from "./live";

export const SESSION = ["session"];

export const sessionQuery = queryOptions({
  queryKey: SESSION,
  queryFn: () => ask(api.GET("/api/v1/session")),
  staleTime: Number.POSITIVE_INFINITY,
  retry: 3,
});

export const useSession = () => useQuery(sessionQuery);

/** Exchanges the key for a cookie; the key itself is kept nowhere. */
export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (key: string) => ask(api.POST("/api/v1/session", { body: { key } })),
    onSuccess: async (state) => {
      queries.setQueryData(SESSION, state);
      live.retryNow();
      await queries.invalidateQueries();
    },
  });
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => ask(api.DELETE("/api/v1/session")),
    onSuccess: (state) => {
      queries.setQueryData(SESSION, state);
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== SESSION[0] });
      if (!state.signed_in) live.refuse();
    },
  });
}
