/** Reads config.json, which has the addresses of the services. */

/**
 * api: base URL of the RAG service; "" is the page's own host.
 * token_url: URL of the local token issuer; with null, the form asks for a token only.
 * tenant: suggested in the sign-in form.
 * ticket_url: page of a ticket in the helpdesk, with {ticket_id}; null shows no link.
 * examples: questions to try.
 */
const DEFAULTS = { api: "", token_url: null, tenant: null, ticket_url: null, examples: [] };

export async function loadConfig() {
  const response = await fetch("config.json", { credentials: "omit" });
  if (!response.ok) throw new Error(`config.json: ${response.status}`);
  return { ...DEFAULTS, ...(await response.json()) };
}

/** The ticket's page in the helpdesk; null if there is none, or if the template isn't a web address. */
export function ticketUrl(config, ticketId) {
  if (!config.ticket_url) return null;
  try {
    const url = new URL(config.ticket_url.replaceAll("{ticket_id}", encodeURIComponent(ticketId)));
    return ["https:", "http:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
