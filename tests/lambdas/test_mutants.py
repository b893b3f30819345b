"""Each rule of the functions has a test that fails on the rule's mutant: its source with one fault."""

from typing import Final

import pytest

from connectors.files.lines import LineError
from core.errors import TicketstreamError
from tests.rigs.mutation import mutant

#: Module of lambdas/, code, the fault that replaces it, and the test that must fail.
_MUTANTS: Final = {
    "a canary that finds nothing is well": (
        "canary",
        'if found.get("hits") and not found.get("nothing") else',
        "if True else",
        "test_canary.test_a_check_that_fails_is_measured",
    ),
    "an answer needs no source": (
        "canary",
        'all(each.get("citations") for each in sentences)',
        "sentences",
        "test_canary.test_a_check_that_fails_is_measured",
    ),
    "a canary dies of a refused sign-in": (
        "canary",
        "except (httpx.HTTPError, TicketstreamError) as error:",
        "except httpx.HTTPError as error:",
        "test_canary.test_a_refused_sign_in_is_measured",
    ),
    "an outage is a failed part of a batch": (
        "outbox",
        "            self._send(call)\n",
        "            try:\n                self._send(call)\n            except TransientError: pass\n",
        "test_outbox.test_an_outage_is_raised_and_nothing_leaves_the_outbox",
    ),
    "another relay's lease is success": (
        "outbox",
        "while not (done := self._relay.run_once()).leads:",
        "done = self._relay.run_once()\n        while False:",
        "test_outbox.test_a_function_waits_for_the_relay_that_has_the_lease",
    ),
    "removals wake the function, which removes": (
        "outbox",
        'return record.get("eventName") == "INSERT" and ',
        "return ",
        "test_outbox.test_a_removal_does_not_wake_the_function",
    ),
    "a schedule is an event like any other": (
        "outbox",
        'event.get("source") == "aws.events"',
        "False",
        "test_outbox.test_a_schedule_sends_what_no_event_woke_and_measures_the_rest",
    ),
    "a send begins that Lambda will end": (
        "outbox",
        "        require_time(call)\n",
        "",
        "test_outbox.test_a_timeout_that_is_too_short_for_a_send_is_refused",
    ),
    "metrics are totals": (
        "emf",
        "values, self._values = self._values, {}",
        "values = self._values",
        "test_emf.test_a_flush_forgets_what_it_wrote",
    ),
    "labels are no dimensions": (
        "emf",
        '"Dimensions": [list(dimensions)]',
        '"Dimensions": [[FUNCTION]]',
        "test_emf.test_a_line_declares_its_metric_with_every_label_as_a_dimension",
    ),
    "the client says which tenant": (
        "pre_token",
        "if wanted != tenant:",
        "if False:",
        "test_pre_token.test_another_tenant_than_the_users_gets_no_token",
    ),
    "every group is a role": (
        "pre_token",
        "[role for role in ROLES if role in groups]",
        "list(groups or ())",
        "test_pre_token.test_groups_are_reduced_to_known_roles",
    ),
    "a new value at every try": (
        "rotation",
        'case "createSecret", None:',
        'case "createSecret", _:',
        "test_rotation.test_every_step_may_be_repeated",
    ),
    "a credential is promoted untested": (
        "rotation",
        "self._until(call, partial(engine.works, pending))",
        "engine.works(pending)",
        "test_rotation.test_a_credential_that_is_not_accepted_in_time_is_not_promoted",
    ),
    "clients keep the old credential": (
        "rotation",
        "                self._restart_clients(pending)\n",
        "",
        "test_rotation.test_clients_restart_when_the_new_version_is_the_current_one",
    ),
    "a key is new to the nodes": (
        "rotation_engines",
        '"key": current["alt_key"], "alt_key": secrets.token_urlsafe(_BYTES)',
        '"key": secrets.token_urlsafe(_BYTES), "alt_key": current["alt_key"]',
        "test_rotation.test_nodes_restart_one_after_another_and_only_if_they_have_to",
    ),
    "all nodes restart at once": (
        "rotation_engines",
        "                    self._services.restart(service)\n                return False",
        "                    self._services.restart(service)",
        "test_rotation.test_three_rotations_refuse_no_call",
    ),
    "the password in use ends": (
        "rotation_engines",
        '[current["password"], pending["password"]]',
        '[pending["password"]] * 2',
        "test_rotation.test_three_rotations_refuse_no_call",
    ),
    "one user's password is changed": (
        "rotation_engines",
        '(other,) = [name for name in current["users"] if name != current["username"]]',
        'other = current["username"]',
        "test_rotation.test_three_rotations_refuse_no_call",
    ),
    "the service may take all of the time": (
        "responses",
        "call.left_s() - _RESERVE_S",
        "call.left_s()",
        "test_responses.test_the_deadline_is_below_the_functions",
    ),
    "every path is passed on": (
        "responses",
        "if not path.startswith(_PATH) or",
        "if",
        "test_responses.test_only_the_api_is_reached",
    ),
    "one of two tokens is chosen": (
        "responses",
        " and name not in several",
        "",
        "test_responses.test_a_body_in_base64_is_decoded_and_two_tokens_are_passed_on_as_none",
    ),
    "times that a record lacks are the clock's": (
        "transformation",
        "at_ms=record.timestamp_ms)",
        "at_ms=int(time() * 1000))",
        "test_transformation.test_raw_records_of_kafka_are_mapped_in_order",
    ),
    "bad data stops the partition": (
        "transformation",
        "            except LineError as error:",
        "            except KeyError as error:",
        "test_transformation.test_a_bad_record_becomes_a_dead_letter_and_the_others_are_sent",
    ),
    "what is refused is forgotten": (
        "transformation",
        "batch.rejected + [_too_large(batch.records[place], why) for place, why in refused.items()]",
        "batch.rejected",
        "test_transformation.test_a_record_that_the_topic_refuses_becomes_a_dead_letter",
    ),
    "a function may read what it writes": (
        "transformation",
        'if record["topic"] == self.topic:',
        "if False:",
        "test_transformation.test_a_function_that_reads_what_it_writes_is_refused",
    ),
    "a new ticket's execution has a new name each time": (
        "workflow.start",
        "execution_name(ticket), ticket",
        "str(id(record)), ticket",
        "test_workflow_start.test_a_batch_that_is_delivered_again_starts_nothing_twice",
    ),
    "every change of a ticket starts the workflow": (
        "workflow.start",
        'if record.get("eventName") != "INSERT":',
        "if False:",
        "test_workflow_start.test_only_new_tickets_start_the_workflow",
    ),
    "a ticket that isn't indexed yet is gone": (
        "workflow.resources",
        'raise NotIndexedError("the ticket is not in the index yet") from None',
        "raise",
        "test_workflow_steps.test_a_ticket_that_is_not_indexed_yet_is_no_deleted_one",
    ),
    "an agent who was faster is overruled": (
        "workflow.steps",
        "(before := decided(current)) is not None or is_handled(current, new=resources.new)",
        "(before := decided(current)) is not None",
        "test_workflow_steps.test_a_ticket_that_a_person_has_taken_up_is_left_alone",
    ),
    "every try writes a draft": (
        "workflow.steps",
        "return None if ANSWER in current.attributes else with_draft",
        "return with_draft",
        "test_workflow_steps.test_two_answers_at_once_leave_one_note",
    ),
    "a decision is made at every try": (
        "workflow.steps",
        "(before := decided(current)) is not None or",
        "(before := None) is not None or",
        "test_workflow_steps.test_a_decision_is_made_once",
    ),
    "a state has a ticket's words": (
        "workflow.steps",
        '"nearest": [hit.ticket_id for hit in found.hits]}',
        '"nearest": [ticket.subject for hit in found.hits]}',
        "test_workflow_steps.test_results_have_no_text",
    ),
    "a full outbox is a bug": (
        "workflow.resources",
        'in ("conflict", "unavailable")',
        'in ("conflict",)',
        "test_workflow_steps.test_a_full_outbox_is_an_outage",
    ),
    "a program needs no scope": (
        "pre_token",
        'if SCOPE not in (request.get("scopes") or ()):',
        "if False:",
        "test_pre_token.test_a_program_without_the_scope_gets_no_token",
    ),
    "environments share their metrics": (
        "function",
        "os.environ.get(_NAME_VARIABLE, self._name)",
        "self._name",
        "test_function.test_metrics_name_the_function_as_it_is_deployed",
    ),
    "clients live on after a fatal error": (
        "function",
        "self.close()  # the next event gets new clients",
        "pass",
        "test_function.test_clients_are_kept_after_an_outage_and_replaced_after_a_fatal_error",
    ),
}


@pytest.mark.parametrize("name", _MUTANTS)
def test_the_mutant_fails_its_test(name: str) -> None:
    """The test of each rule sees that the rule is broken."""
    module, code, fault, test = _MUTANTS[name]
    with (
        mutant("lambdas", module, code, fault, test) as run,
        pytest.raises((AssertionError, LineError, TicketstreamError, pytest.fail.Exception)),
    ):
        run()
