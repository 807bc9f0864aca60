-- A freeze's own story tells that a thaw lifted it, which the worker says, or that its time is over, which the sweep does.
CREATE OR REPLACE FUNCTION events_are_their_writers() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF public.is_owner(TG_RELID) THEN
    RETURN NEW;
  END IF;
  IF NEW.seq > (SELECT r.version FROM public.requests r WHERE r.id = NEW.request_id) THEN
    RAISE EXCEPTION 'event % of request % is before its time', NEW.seq, NEW.request_id
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF pg_has_role(current_user, 'twokey_bot', 'MEMBER') AND NEW.kind IN (
    'Asked', 'Approved', 'Agreed', 'Withdrawn', 'Refused', 'Noted', 'Rejected', 'Cancelled', 'Witnessed', 'Frozen',
    'Halted', 'Exported'
  ) OR pg_has_role(current_user, 'twokey_sweep', 'MEMBER') AND NEW.kind IN (
    'ExpiryWarned', 'Expired', 'Unanswered', 'Answered', 'RanOut'
  ) OR pg_has_role(current_user, 'twokey_worker', 'MEMBER') AND (
    NEW.kind IN ('Approved', 'Withdrawn', 'Refused') AND NEW.body ->> 'actor_id' = 'policy' OR NEW.kind IN (
      'Rehearsing', 'Planned', 'Denied', 'Stale', 'Waiting', 'Ready', 'Started', 'BackedUp', 'MigrationApplied',
      'Applied', 'Blocked', 'TriedAgain', 'StatementRan', 'Foretold', 'Settled', 'Unlike', 'Compared',
      'MigrationReverted', 'Reverted', 'BackupKept', 'Restoring', 'Restored', 'Discarded', 'Generating', 'Generated',
      'NothingGenerated', 'TakenOver', 'Repaired', 'Failed', 'Interrupted', 'Certified', 'Halted', 'Thawed', 'Released',
      'Lifted'
    )
  ) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION '% does not write %', current_user, NEW.kind USING ERRCODE = 'insufficient_privilege';
END
$$;
