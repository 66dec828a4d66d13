def test_stopping_a_server_that_does_not_run(curator):
    assert curator("serve", "--stop") == (0, {"stopped": False})


def test_the_trainer_tells_what_there_is(curator, monkeypatch):
    monkeypatch.delenv("CURATOR_TRAINER_PYTHON", raising=False)
    code, told = curator("trainer")
    assert code == 0
    assert set(told) == {"trainer", "folder", "bases"}


def test_what_is_missing_is_said_where_no_build_of_torch_can_be_had(curator, monkeypatch, capsys):
    """A verb that only shows fails for nothing that only a set-up needs."""
    from curator.tune.local.bases import environment

    monkeypatch.setattr(environment, "trainer_python", lambda: None)
    monkeypatch.setattr(environment, "_versions_of_torch", lambda: ())
    monkeypatch.setattr(environment, "_usual_build", lambda: "cpu")
    code, told = curator("trainer")
    assert (code, told["trainer"]) == (0, None)
    assert capsys.readouterr().err.count("Traceback") == 0
    code, told = curator("trainer", "--install")
    assert (code, told["error"]["kind"]) == (2, "trainer")
