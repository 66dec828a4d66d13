def test_stopping_a_server_that_does_not_run(curator):
    assert curator("serve", "--stop") == (0, {"stopped": False})


def test_the_trainer_tells_what_there_is(curator, monkeypatch):
    monkeypatch.delenv("CURATOR_TRAINER_PYTHON", raising=False)
    code, told = curator("trainer")
    assert code == 0
    assert set(told) == {"trainer", "folder", "bases"}
