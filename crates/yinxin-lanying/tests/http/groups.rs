//! Groups, of which there are none: every call about one says so, whoever asks and however.

use serde_json::{Value, json};

use crate::asking::{Answer as _, Ask, Bearer as _};
use crate::world::World;

#[tokio::test]
async fn every_call_about_a_group_says_that_there_is_none() {
    let w = World::new().await;
    let ann = w.user("ann").await;
    let before = w.dump().await;
    let mut asked = 0;
    for (methods, path) in yinxin_lanying::calls().filter(|(_, path)| path.contains("group")) {
        for method in methods {
            for body in [json!({}), json!({ "group_id": 7, "user_list": [ann.id], "value": "x", "group_list": [7] })] {
                for (token, user) in [(&ann.token, 0), (&w.app.admin, ann.id)] {
                    let path_of_one = format!("{path}?group_id=7");
                    let ask = Ask::new(&w, method, &path_of_one).header("app_id", &w.app.app_id).by(token);
                    let answer = ask.header("user_id", user).json(&body).await;
                    match path {
                        "/group/info/batch" if body == json!({}) => drop(answer.refused(10002)),
                        "/group/user_joined" | "/group/info/batch" => assert_eq!(answer.ok(), json!([])),
                        "/group/create" => {
                            assert_eq!((answer.status, &answer.json()["code"]), (501, &Value::from(501)));
                        }
                        _ => drop(answer.refused(20001)),
                    }
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 60, "{asked} calls are too few");
    assert_eq!(w.dump().await, before);
}
